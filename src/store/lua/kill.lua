-- kill: an administrator ends a user's session, or all of them. Nothing is left; runs that hold them are fenced off.
-- KEYS 1 to 13 as ends has them, of the session that is named, or of the main one
-- ARGV 1 member 2 what the names of kept replies begin with 3 the id of the session that is named, or '' for all 4 its slot
-- returns how many were ended
local named, ended_now = ARGV[3] ~= '', 0
if not named then ended_now = end_others(ARGV[1], ARGV[2], 'administrator') end
local there = redis.call('EXISTS', KEYS[2]) == 1
if there and (not named or redis.pcall('HGET', KEYS[2], 'sid') == ARGV[3]) then
  end_this(ARGV[1], ARGV[2], 'administrator')
  ended_now = ended_now + 1
  if named then redis.call('SREM', KEYS[13], ARGV[4]) end
end
-- something is written, so that WAIT behind it waits for a kill that was done before and not safe then
if ended_now == 0 and redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HINCRBY', KEYS[1], 'gen', 0) end
return ended_now
