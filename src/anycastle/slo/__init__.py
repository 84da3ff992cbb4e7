"""What clients got against what was promised: indicators, objectives, budgets, burn rates. Pure."""
