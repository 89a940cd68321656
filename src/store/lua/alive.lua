-- alive: the replicas that have said lately that they are there.
-- KEYS 1 replicas   ARGV 1 for how long a record counts, in ms
-- returns {id, when it was said, record, …}
local all, alive = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all, 2 do
  local seen, record = string.match(all[i + 1], '^(%d+)|(.*)$')
  if seen and now - tonumber(seen) <= tonumber(ARGV[1]) then
    for _, part in ipairs({all[i], seen, record}) do alive[#alive + 1] = part end
  end
end
return alive
