"""Everything that runs on the user's own machine: setting up, the embedded services, checks and tests."""
