"""What registries say, made use of: sets expanded, filters made of them, the fleet's own objects audited."""
