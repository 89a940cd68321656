-- account_change: one field of an account; '1' in ARGV 3 voids the tokens issued before, and stops what runs on their strength.
-- KEYS 1 account 2 session   ARGV 1 field 2 value 3 void tokens
-- returns 1 changed | 0 no such user
if redis.call('HEXISTS', KEYS[1], 'role') == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
if ARGV[3] == '1' then
  local t = redis.call('TIME')
  redis.call('HSET', KEYS[1], 'tv', t[1] * 1000 + math.floor(t[2] / 1000))
  local run = redis.pcall('HGET', KEYS[2], 'rid')
  if type(run) == 'string' and run ~= '' then redis.call('HSET', KEYS[2], 'cx', 'revoked') end
end
return 1
