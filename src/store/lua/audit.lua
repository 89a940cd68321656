-- audit: one more record of the audit log. Repeating it is safe: a record that is among the newest is not written twice.
-- KEYS 1 the log   ARGV 1 nonce 2 record 3 records kept at most 4 ms that they are kept 5 how many of the newest to look at
-- returns the record's id
for _, entry in ipairs(redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', ARGV[5])) do
  if entry[2][2] == ARGV[1] then
    -- something is written, so that WAIT behind it waits for the record
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
    return entry[1]
  end
end
local id = redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[3], '*', 'n', ARGV[1], 'r', ARGV[2])
redis.call('XTRIM', KEYS[1], 'MINID', string.format('%d', math.max(0, now - tonumber(ARGV[4]))))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return id
