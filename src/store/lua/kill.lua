-- kill: an administrator ends a user's session. Nothing of it is left; a run that holds it is fenced off.
-- KEYS 1 account 2 session 3 history 4 journal 5 waiting 6 runs 7 open 8 kept replies 9 x 10 la 11 sm 12 events
-- ARGV 1 member 2 what the names of kept replies begin with
-- returns 1 ended | 0 there was none
if redis.call('EXISTS', KEYS[2]) == 0 then
  -- something is written, so that WAIT behind it waits for a kill that was done before and not safe then
  if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HINCRBY', KEYS[1], 'gen', 0) end
  return 0
end
wipe(KEYS[1], {KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[12]}, ARGV[1], ARGV[2], 'administrator')
redis.call('ZREM', KEYS[9], ARGV[1]); redis.call('ZREM', KEYS[10], ARGV[1]); redis.call('HDEL', KEYS[11], ARGV[1])
return 1
