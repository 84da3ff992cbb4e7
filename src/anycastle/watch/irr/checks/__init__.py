"""The checks of an audit, one file each; `watch.irr.audit` lists them."""
