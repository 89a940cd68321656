-- account_remove: a user goes, with the session and everything else that is kept of them. What is told again under an idempotency key dies by
-- itself, and until then is told to nobody who gets the name (begin); failures from single addresses die by themselves too.
-- KEYS 1 account 2 session 3 history 4 journal 5 waiting 6 runs 7 open 8 kept replies 9 x 10 la 11 sm 12 events 13 slots
--      14 the bucket's users 15.. what else is the user's
-- ARGV 1 member 2 what the names of kept replies begin with 3 listed name
-- returns 1 removed | 0 no such user
if redis.call('HEXISTS', KEYS[1], 'role') == 0 then return 0 end
wipe(KEYS[1], {KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[12]}, ARGV[1], ARGV[2], 'administrator')
redis.call('ZREM', KEYS[9], ARGV[1]); redis.call('ZREM', KEYS[10], ARGV[1]); redis.call('HDEL', KEYS[11], ARGV[1])
for _, slot in ipairs(other_slots(KEYS[13], KEYS[2])) do
  local function at(key) return at_slot(key, slot) end
  wipe(KEYS[1], {at(KEYS[2]), at(KEYS[3]), at(KEYS[4]), at(KEYS[5]), KEYS[6], KEYS[7], KEYS[8] .. ':' .. slot, at(KEYS[12])}, at(ARGV[1]), ARGV[2], 'administrator')
  redis.call('ZREM', KEYS[9], at(ARGV[1])); redis.call('ZREM', KEYS[10], at(ARGV[1])); redis.call('HDEL', KEYS[11], at(ARGV[1]))
end
redis.call('SREM', KEYS[14], ARGV[3])
redis.call('DEL', KEYS[1], KEYS[6], KEYS[13])
for i = 15, #KEYS do redis.call('DEL', KEYS[i]) end
return 1
