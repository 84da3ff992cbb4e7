"""The controller's API: HTTP in, orders and pages of the store out."""
