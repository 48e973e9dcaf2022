"""The HTTP API: one app over a service, one gate in front of it, one server that runs it."""
