"""What the command line does, one module per family of sub-commands."""
