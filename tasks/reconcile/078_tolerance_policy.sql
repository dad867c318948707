-- tolerance_policy. Grain: one row, the tolerance policy that this run applied, with who set it and when.
create table tolerance_policy as
select * from staged.policy
