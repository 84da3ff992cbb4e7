"""The files' shapes: pydantic, one file each. They never leave `anycastle.io.config`."""
