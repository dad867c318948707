"""What people open: pages, workbooks, and the folder that they lie in. Needs neither Prefect nor pandas."""
