-- key_make: a caller makes an API key.
-- KEYS 1 account 2 revoked
-- ARGV 1 token id 2 issued ms 3 requests/min 4 digest 5 name 6 scopes 7 ms that it lasts 8 the most a user may have
-- returns {'OK', made, ends} | {'EXISTS'} | {'FULL'} | {'REVOKED'} | {'LIMITED', ms}
local a, refused = let_in(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
if not a then return refused end
local field, count, taken, again = 'k:' .. ARGV[4], 0, false, nil
each_key(KEYS[1], true, function(found, made, ends, _, name)
  count = count + 1
  if found == field then again = {'OK', made, ends}
  elseif name == ARGV[5] then taken = true end
end)
-- the answer to this very request was lost
if again then return again end
if taken then return {'EXISTS'} end
if count >= tonumber(ARGV[8]) then return {'FULL'} end
local ends = now + tonumber(ARGV[7])
redis.call('HSET', KEYS[1], field, string.format('%d|%d|', now, ends) .. ARGV[6] .. '|' .. ARGV[5])
return {'OK', now, ends}
