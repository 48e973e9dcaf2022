"""Tools for clients of the Model Context Protocol: what they give, and a server over the official SDK.

`qa.mcp.tools` knows the tools and not the protocol; only `qa.mcp.server` and what runs it import the SDK, which
takes half a second to load.
"""
