"""From a question to a checked answer, and every way to ask one."""
