"""What a question of placement is asked from: sites and prices, places of networks, round trips, convergence."""
