"""The ten indicators, one module each; `table` lists them."""
