-- not_reconciled. Grain: one record, day or part that was not reconciled, with what is wrong with it.
create table not_reconciled as
select * from staged.rejections
order by subject
