"""The command `nutgraf`: one small module for each group of commands."""
