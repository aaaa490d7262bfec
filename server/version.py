"""The version of this program. Rule: it is written here and nowhere else."""

VERSION = "0.1.0"
