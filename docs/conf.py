"""Sphinx: the pages are MyST Markdown, and ask nothing of the network."""

from anycastle import __version__

project = "Anycastle"
version = release = __version__
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "Anycastle"
html_copy_source = False
html_show_sphinx = False
