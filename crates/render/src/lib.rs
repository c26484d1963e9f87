//! Report formats, one file each, over one report.
