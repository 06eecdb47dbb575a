"""The tray program's face: Qt lives in this package and nowhere else."""
