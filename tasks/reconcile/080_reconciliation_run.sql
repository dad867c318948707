-- reconciliation_run. Grain: one row, the run that made this file, with the as-at time of each side.
create table reconciliation_run as
select * from staged.run
