"""Reports for people: one document of sections, written as Markdown or as one HTML file."""
