// Worst-case data: ten thousand carts in every status with names of maximum length, two hundred users, months of
// history. Each statement leaves what the product's own statements would leave.
import { filled, quoted as q } from './seed.js';

export const CARTS = 10_000;
/** Maximum lengths of names and addresses in the forms, in characters. */
const MOST = { cart: 80, person: 100, email: 254, location: 255, address: 500 };

/** A substring of several names, for searches. */
export const ARABIC = 'متجر';
/** Begins with digits, so that only the first letter determines the direction. */
export const TURNED = '2026 متجر';
const WORD = 'Donaudampfschifffahrtsgesellschaftskapitän';

export const NAMES = {
  arabic: filled('متجر الأصيل للشاي والقهوة والبهارات في الحدائق الغارقة وأماكن أخرى ', MOST.cart),
  hebrew: filled('חנות 12 Northwind (Tea) 24/7 – תה, קפה & Co. ', MOST.cart),
  unbroken: filled(WORD, MOST.cart),
  unbrokenArabic: filled('أفاستسقيناكموها', MOST.cart),
  latin: filled('Northwind Tea and Spices of the Sunken Gardens and Other Places ', MOST.cart),
  emoji: filled('🍵 Tea 👩🏽‍🍳👨‍👩‍👧‍👦 ', MOST.cart),
  markup: filled('<b>&amp;</b> "Tea" \'n\' <script>alert(1)</script> {{ name }} **%s** ', MOST.cart),
};

export const PEOPLE = {
  arabic: filled('عبد الرحمن بن محمد الأندلسي المعروف بابن الشاي ', MOST.person),
  unbroken: filled(WORD, MOST.person),
};

/** Names of maximum length that end in a unique number, some with Arabic before the digits or after them. */
const numbered = (most) => `case n % 9
  ${Object.values(NAMES).map((name, at) => `when ${at} then rtrim(left(${q(name)}, ${most} - 6))`).join('\n  ')}
  when 7 then ${q(TURNED)} else ${q(ARABIC)} end || ' ' || n`;

/** A host name of the maximum DNS label length. */
const HOST = `rpad('shop-' || n || case when n % 2 = 0 then '-' else '' end, 63, 'x') || '.myshopify.com'`;

/** Ten thousand additional carts of eight kinds; neighbours in any order differ. */
const carts = `
insert into carts (id, submission_id, platform, website_name, store_host, is_active, status, credential_kind, secret, secret_ending,
  secret_added_by, secret_added_at, credential_fingerprint, token_fingerprint, passed_at, shop_id, shop_name, last_class, last_title,
  missing_count, last_checked_at, failing_since, retired_by, is_disconnected, locations_gone, updated_by)
select gen_random_uuid(), gen_random_uuid(), 'shopify', ${numbered(MOST.cart)}, ${HOST}, kind in (0, 1, 2, 6),
  (array['connected', 'needs-attention', 'not-connected', 'inactive', 'draft', 'draft', 'needs-attention', 'draft'])[kind + 1],
  case when kind <> 5 then 'access_token' end, case when kind <> 5 then decode(repeat('00', 75), 'hex') end,
  case when kind <> 5 then 'a1b2' end, ${q(PEOPLE.arabic)}, now(), case when kind <> 5 then decode(md5('c' || n), 'hex') end,
  case when kind <> 5 then decode(md5('t' || n), 'hex') end, case when kind not in (4, 5, 7) then now() - interval '100 days' end,
  case when kind not in (4, 5, 7) then n::text end, case when kind not in (4, 5, 7) then 'Shop ' || n end,
  (array['CONNECTED', 'SCOPES_MISSING', 'TLS_UNTRUSTED', 'CONNECTED', null, 'CONNECTED', 'CONNECTED', 'CC_WRONG_ORG'])[kind + 1],
  (array['Connected to Shop', 'Connected, but 13 permissions are missing', 'We could not make a secure connection to ' || ${HOST},
    'Connected to Shop', null, 'Connected to Shop', 'Connected to Shop',
    'This app and this store belong to different Shopify organizations'])[kind + 1],
  case when kind = 1 then 13 else 0 end, case when kind <> 4 then now() - make_interval(mins => n) end,
  case when kind in (1, 2) then now() - make_interval(mins => n * 20) end,
  case when kind in (3, 5) then case when n % 2 = 0 then ${q(PEOPLE.arabic)} else ${q(PEOPLE.unbroken)} end end, kind = 5, kind = 6, 'Sam Lee'
from (select n, n % 8 as kind from generate_series(1, ${CARTS}) n) made;

-- Thirty checks each, in twenty patterns. None is due, because these stores do not exist.
with patterns as (select p, decode(string_agg(lpad(to_hex(extract(epoch from now())::bigint - 900 * (30 - k)), 8, '0')
    || case when (k * 7 + p) % 9 = 0 then '10ffffff' else '00' || lpad(to_hex(150 + (k * 37 + p * 13) % 900), 6, '0') end, '' order by k), 'hex') as recent
  from generate_series(0, 19) p, generate_series(0, 29) k group by p)
update cart_health set last_checked_at = carts.last_checked_at, recent = patterns.recent
from carts, patterns where carts.id = cart_id and store_host like 'shop-%' and carts.last_checked_at is not null and p = extract(minute from carts.last_checked_at)::int % 20;
update cart_health set next_check_at = now() + interval '1 day' where next_check_at is not null;
analyze carts, cart_health, cart_search;`;

/** Two hundred users, one with a short name whose visual order can be measured. */
const people = `
update users set name = ${q(PEOPLE.arabic)};
insert into users (id, email, name, role, password_hash, last_seen_at, disabled_at)
select gen_random_uuid(), case when n % 4 = 0 then 'عبد' || n || '@متجر.example' else rpad('a' || n, ${MOST.email - 20}, 'b.c') || '@northwind.example' end,
  case n % 4 when 0 then ${q(PEOPLE.arabic)} when 1 then ${q(PEOPLE.unbroken)} when 2 then ${q(filled(NAMES.markup, MOST.person))} else ${q(filled(NAMES.hebrew, MOST.person))} end,
  case when n % 2 = 0 then 'viewer' else 'administrator' end, case when n % 5 > 0 then '-' end,
  case when n % 5 > 0 then now() - make_interval(hours => n) end, case when n % 7 = 0 then now() end
from generate_series(1, 199) n;
insert into users (id, email, name, role, password_hash) values (gen_random_uuid(), 'turned@northwind.example', ${q(TURNED)}, 'viewer', '-');
insert into sessions (id_hash, user_id, created_at, last_seen_at, ip, user_agent)
select decode(md5('s' || n), 'hex'), (select user_id from sessions limit 1), now() - make_interval(mins => n * 10), now() - make_interval(secs => n * 10),
  '2001:0db8:85a3:0000:0000:8a2e:0370:' || lpad(to_hex(n), 4, '0'), (array['SamsungBrowser/ Android', 'Mozilla/5.0 Firefox/156.0 (Macintosh)', null])[1 + n % 3]
from generate_series(1, 60) n;`;

/** Six thousand events, every second one of this cart. */
const activity = (cart) => `
insert into audit_events (id, at, actor_kind, actor_id, actor_name, event, cart_id, cart_name, data, request_id, ip, user_agent, what)
select gen_random_uuid(), now() - make_interval(mins => n * 7), case when kind = 2 then 'system' else 'person' end,
  case when kind <> 2 then (select id from users where email = 'priya@northwind.example') end,
  case when kind = 2 then 'System' when n % 4 = 0 then ${q(PEOPLE.unbroken)} else ${q(PEOPLE.arabic)} end,
  (array['cart_changed', 'tested', 'cart_not_connected', 'cart_overwritten', 'user_invited', 'could_not_sign_in', 'role_changed', 'cart_frobbed'])[kind + 1],
  case when kind in (4, 5, 6) then null when n % 2 = 0 then ${q(cart)}::uuid else many.id end,
  case when kind in (4, 5, 6) then null else ${numbered(MOST.cart)} end,
  (array[
    jsonb_build_object('changes', jsonb_build_array(
      jsonb_build_object('field', 'Website Name', 'before', ${q(NAMES.hebrew)}, 'after', ${q(NAMES.unbroken)}),
      jsonb_build_object('field', 'Item group', 'before', ${q(NAMES.markup)}, 'after', ${q(NAMES.arabic)}))),
    jsonb_build_object('store', ${HOST}, 'class', 'TLS_UNTRUSTED', 'title', 'We could not make a secure connection to ' || ${HOST}),
    jsonb_build_object('class', 'CC_WRONG_ORG', 'title', 'This app and this store belong to different Shopify organizations'),
    jsonb_build_object('of', ${q(PEOPLE.arabic)}),
    jsonb_build_object('person', ${q(PEOPLE.arabic)}, 'email', 'a@b.example', 'role', 'viewer'),
    jsonb_build_object('email', ${q(`${filled('a.b', 236)}@northwind.example`)}),
    jsonb_build_object('person', ${q(PEOPLE.unbroken)}, 'role', 'administrator'),
    jsonb_build_object('by', ${q(NAMES.arabic)}, 'how', repeat('x', 200))])[kind + 1],
  replace(gen_random_uuid()::text, '-', ''), '2001:0db8:85a3:0000:0000:8a2e:0370:7334', repeat('Mozilla/5.0 ', 16),
  case when kind in (1, 2) then 'tests' when kind in (4, 5, 6) then 'people' else 'carts' end
from (select n, n / 3 % 8 as kind from generate_series(1, 6000) n) made
join (select id, row_number() over (order by id) as place from carts) many on place = n;
analyze audit_events;`;

/** A cart with ninety bad days and two hundred problems, in a store with two hundred locations. */
const past = (cart) => `
update carts set secret_added_by = ${q(PEOPLE.arabic)}, shop_name = ${q(NAMES.arabic)}, locations_read_at = now() where id = ${q(cart)};
insert into cart_days (cart_id, day, checks, failed, slowest_ms)
select ${q(cart)}, (now() at time zone 'UTC')::date - d, 96, d % 97, case when d % 5 > 0 then 14500 end from generate_series(0, 89) d on conflict do nothing;
insert into cart_problems (cart_id, began_at, ended_at, ended_by, class, title)
select ${q(cart)}, now() - make_interval(hours => n * 10), now() - make_interval(hours => n * 10 - 9), case when n % 2 = 0 then ${q(PEOPLE.arabic)} end,
  'TLS_UNTRUSTED', 'We could not make a secure connection to ' || ${HOST} from generate_series(1, 200) n;
update cart_health set recent = (select recent from cart_health where octet_length(recent) = 240 limit 1) where cart_id = ${q(cart)};
insert into cart_locations (cart_id, location_id, name, is_chosen, is_gone)
select ${q(cart)}, n::text, left(case n % 3 when 0 then ${q(filled(NAMES.arabic, MOST.location))} when 1 then ${q(filled(WORD, MOST.location))} else 'Depot' end, 250) || ' ' || n,
  n % 4 = 0, n % 20 = 0 from generate_series(1, 200) n on conflict do nothing;`;

/** A finished bulk action on all carts, and one that never progresses: its items are leased for a day. */
const jobs = (over, running) => [[over, 'now()', "(array['connected', 'limited', 'not-connected', 'not-tested', 'gone'])[1 + place % 5]"],
  [running, 'null', "case when place < 4000 then (array['off', 'off-already'])[1 + place % 2] end"]].map(([id, end, outcome]) => `
insert into jobs (id, kind, made_by_name, total, finished_at)
  select ${q(id)}, ${id === over ? "'test'" : "'turn-off'"}, ${q(PEOPLE.arabic)}, count(*), ${end} from carts;
insert into job_items (job_id, position, cart_id, leased_until, outcome)
  select ${q(id)}, place, id, now() + interval '1 day', ${outcome} from (select id, row_number() over (order by id) as place from carts) many;`).join('');

/** Twenty recipients, a webhook of maximum length, and a full delivery log. */
const alerts = `
update alert_settings set email_on = true, email_addresses = (select array_agg(rpad('a' || n, ${MOST.email - 18}, 'b') || '@northwind.example') from generate_series(1, 20) n);
insert into alert_webhooks (id, sealed_address, shown_address, host, secret, secret_ending, failing_since)
select gen_random_uuid(), 'x', 'https://' || host || '/…', host, decode(repeat('00', 75), 'hex'), '9c2e', now() - interval '3 days'
from (select rpad(repeat(repeat('h', 62) || '.', 3), 245, 'h') || '.example' as host) made;
insert into alert_log (id, at, channel, recipient, outcome, is_delivered, subject)
select gen_random_uuid(), now() - make_interval(mins => n), case when n % 2 = 0 then 'email' else 'webhook' end,
  case when n % 2 = 0 then rpad('a' || n, ${MOST.email - 18}, 'b') || '@northwind.example' else rpad(repeat(repeat('h', 62) || '.', 3), 245, 'h') || '.example' end,
  case when n % 3 = 0 then 'answered 200' else 'We could not make a secure connection' end, n % 3 = 0,
  case when n % 4 = 0 then U&'\\2068' || ${q(NAMES.arabic)} || U&'\\2069' when n % 4 = 1 then ${q(NAMES.unbroken)} else ${q(NAMES.markup)} end || ' is not connected'
from generate_series(1, 500) n;`;

/** Everything, added to the carts that a user created: `cart` gets the history. */
export const everything = ({ cart, over, running }) => ['set statement_timeout = 0;', carts, people, activity(cart), past(cart), jobs(over, running), alerts].join('\n');
