-- tell: a run that holds its session writes down what happens in it, for whoever follows it elsewhere. Repeating it is safe: an event that is
-- there is not written twice, and one of an earlier holder comes too late.
-- KEYS 1 session 2 events
-- ARGV 1 run 2 token 3 ms to keep 4 the most to keep 5.. id, event, id, event …
-- returns 1 written, 0 the session is another's
local s = redis.call('HMGET', KEYS[1], 'rid', 'tok')
if s[1] ~= ARGV[1] or s[2] ~= ARGV[2] then return 0 end
for i = 5, #ARGV, 2 do
  -- refused are ids that are not greater than the newest
  redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], ARGV[i], 'r', ARGV[1], 'e', ARGV[i + 1])
end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
