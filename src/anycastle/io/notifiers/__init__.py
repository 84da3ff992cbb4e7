"""Ways to tell somebody, one module each. `TABLE` lists them all."""
