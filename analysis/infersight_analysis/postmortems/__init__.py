"""Post-mortems: what an incident cost, how it went, and what follows from it, told without blaming anybody."""
