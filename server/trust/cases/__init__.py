"""Keep cases: all reports and detections about one user, with queue, pictures, disclosure and appeals."""
