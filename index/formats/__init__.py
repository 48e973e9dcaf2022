"""One small module for each kind of file; every one of them runs only in the jail (`index.jail_worker`)."""
