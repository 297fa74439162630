-- The list by status goes by status_rank since 0012; nothing reads this one any more, and every check that finds another status
-- would write it.
drop index carts_status_list;
