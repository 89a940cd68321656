-- beat: a replica says that it is there and how it is, or that it goes; those that have said nothing for too long are taken out.
-- KEYS 1 replicas   ARGV 1 its id 2 its record, or '' when it goes 3 for how long a record counts, in ms
-- returns 1
if ARGV[2] == '' then redis.call('HDEL', KEYS[1], ARGV[1])
else redis.call('HSET', KEYS[1], ARGV[1], string.format('%d|', now) .. ARGV[2]) end
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local seen = tonumber(string.match(all[i + 1], '^(%d+)|') or '0')
  if now - seen > tonumber(ARGV[3]) then redis.call('HDEL', KEYS[1], all[i]) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
