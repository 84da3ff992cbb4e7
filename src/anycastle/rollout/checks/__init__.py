"""The checks of a plan, one file each; `rollout.check_table` lists them."""
