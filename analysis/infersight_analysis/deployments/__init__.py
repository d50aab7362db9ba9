"""What was deployed when: versions of services, models and configuration, out of what the senders say of themselves."""
