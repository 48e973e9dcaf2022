"""Measuring answers: question files and public sets in, figures, tables and reports out."""
