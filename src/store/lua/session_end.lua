-- session_end: a caller ends one of their sessions. Nothing of it is left; a run that holds it is fenced off.
-- KEYS 1 to 13 as ends has them, of the session that is named 14 revoked
-- ARGV 1 token id 2 issued ms 3 requests/min 4 the session's id 5 member 6 what the names of kept replies begin with 7 slot
-- returns {'OK', role, 1, or 0: there is no such session} | {'REVOKED'} | {'LIMITED', ms}
local a, refused = let_in(KEYS[1], KEYS[14], ARGV[1], ARGV[2], ARGV[3])
if not a then return refused end
-- one that cannot be read is ended all the same, if its id says that it is this one
if redis.pcall('HGET', KEYS[2], 'sid') ~= ARGV[4] then return {'OK', a[1], 0} end
end_this(ARGV[5], ARGV[6], 'ended')
redis.call('SREM', KEYS[13], ARGV[7])
return {'OK', a[1], 1}
