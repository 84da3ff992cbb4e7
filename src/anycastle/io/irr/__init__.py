"""Internet routing registries: servers that speak IRRd's protocol, files of RPSL, filters for routers."""
