"""Anomalies and change points of series of numbers; what is in the store becomes series here, too."""
