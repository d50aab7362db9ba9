"""What people and programs see of a finding: JSON, and tables for a terminal."""
