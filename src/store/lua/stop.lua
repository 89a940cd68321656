-- stop: an administrator wants a run to stop. Whoever runs it finds out at its next step.
-- KEYS 1 session   ARGV 1 run
-- returns {'STOPPING', ms left of its lease} | {'NONE'} it does not hold the session
local s, bad = session_of(KEYS[1], 'cx')
if bad then return {'UNREADABLE'} end
if not s or s.rid ~= ARGV[1] then return {'NONE'} end
-- something is written in any case, so that WAIT behind it waits for what was written before
redis.call('HSET', KEYS[1], 'cx', s.cx == '' and 'administrator' or s.cx)
return {'STOPPING', math.max(0, s.lu - now)}
