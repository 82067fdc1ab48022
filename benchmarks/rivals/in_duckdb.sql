-- Once, for all cutoffs

CREATE TEMP TABLE codes AS
SELECT customer_id, (row_number() OVER () - 1)::INT AS code FROM (SELECT DISTINCT customer_id FROM orders);

CREATE TEMP TABLE bookings AS
SELECT code, occurred_on AS day, greatest(known_at, occurred_on) AS known,
       round(amount * 100)::INT AS cents, round(margin * 100)::INT AS margin
FROM orders JOIN codes USING (customer_id);

CREATE TEMP TABLE stretches AS
SELECT code, edge AS day, NULL::DATE AS known, sum((cents > 0)::INT)::INT AS orders, sum(cents)::INT AS cents,
       sum(greatest(cents, 0))::INT AS sold, sum((cents < 0)::INT)::INT AS returns, coalesce(sum(margin), 0)::INT AS margin
FROM bookings JOIN (SELECT day, edge FROM (SELECT DISTINCT day FROM bookings) ASOF JOIN edges ON day >= edge)
USING (day) WHERE known = day GROUP BY code, edge
UNION ALL
SELECT code, day, known, (cents > 0)::INT, cents, greatest(cents, 0), (cents < 0)::INT, coalesce(margin, 0)
FROM bookings WHERE known > day
ORDER BY code;

CREATE TEMP TABLE rhythms AS
SELECT code, cutoff, min(day) AS first, max(day) AS last, count(*) FILTER (gap > 0) AS gaps,
       sum(gap) AS gap_sum, sum(gap * gap) AS gap_squares, max(gap) AS longest,
       max((day - DATE '1970-01-01') * 65536 + gap) FILTER (gap > 0) AS day_and_gap
FROM (SELECT code, day, known, (day - lag(day) OVER (PARTITION BY code ORDER BY day))::INT AS gap
      FROM bookings WHERE cents > 0)
JOIN (SELECT known, cutoff FROM (SELECT DISTINCT known FROM bookings) ASOF JOIN cutoffs ON known < cutoff)
USING (known) GROUP BY code, cutoff;

CREATE TEMP TABLE complained AS
SELECT code, occurred_on AS day, greatest(known_at, occurred_on) AS known FROM complaints JOIN codes USING (customer_id);

CREATE TEMP TABLE contacted AS
SELECT code, occurred_on AS day, greatest(known_at, occurred_on) AS known,
       (direction = 'in')::INT AS inbound, (direction = 'out')::INT AS outbound
FROM contacts JOIN codes USING (customer_id) ORDER BY code;

-- At the cutoff, a variable

CREATE TEMP VIEW sums AS
SELECT code,
    sum(if(day >= getvariable('cutoff') - 28, orders, 0)) AS orders_28d,
    sum(if(day >= getvariable('cutoff') - 91, orders, 0)) AS orders_91d,
    sum(if(day >= getvariable('cutoff') - 182, orders, 0)) AS orders_182d,
    sum(if(day >= getvariable('cutoff') - 364, orders, 0)) AS orders_364d,
    sum(orders) AS orders_728d,
    sum(if(day >= getvariable('cutoff') - 28, cents, 0)) AS turnover_cents_28d,
    sum(if(day >= getvariable('cutoff') - 91, cents, 0)) AS turnover_cents_91d,
    sum(if(day >= getvariable('cutoff') - 182, cents, 0)) AS turnover_cents_182d,
    sum(if(day >= getvariable('cutoff') - 364, cents, 0)) AS turnover_cents_364d,
    sum(cents) AS turnover_cents_728d,
    sum(if(day >= getvariable('cutoff') - 455 AND day < getvariable('cutoff') - 364, cents, 0))
        AS turnover_cents_91d_year_before,
    sum(if(day >= getvariable('cutoff') - 364, returns, 0)) AS returns_364d,
    sum(if(day >= getvariable('cutoff') - 364, sold, 0)) AS sold_cents_364d,
    sum(if(day >= getvariable('cutoff') - 364, margin, 0)) AS margin_cents_364d
FROM stretches
WHERE day < getvariable('cutoff') AND day >= getvariable('cutoff') - 728
  AND (known IS NULL OR known < getvariable('cutoff'))
GROUP BY code;

CREATE TEMP VIEW life AS
SELECT code, min(first) AS first, max(last) AS last, sum(gaps) AS gaps, sum(gap_sum) AS gap_sum,
       sum(gap_squares) AS gap_squares, max(longest) AS longest, max(day_and_gap) & 65535 AS newest
FROM rhythms WHERE cutoff <= getvariable('cutoff') GROUP BY code;

CREATE TEMP VIEW pending AS
SELECT DISTINCT code FROM bookings
WHERE cents > 0 AND day < getvariable('cutoff') AND known >= getvariable('cutoff');

CREATE TEMP VIEW anew AS
SELECT code, count(*) FILTER (gap > 0) AS gaps, sum(gap) AS gap_sum, sum(gap * gap) AS gap_squares,
       max(gap) AS longest, arg_max(gap, day) FILTER (gap > 0) AS newest
FROM (SELECT code, day, (day - lag(day) OVER (PARTITION BY code ORDER BY day))::INT AS gap
      FROM bookings SEMI JOIN pending USING (code) WHERE cents > 0 AND known < getvariable('cutoff'))
GROUP BY code;

CREATE TEMP VIEW rhythm AS
SELECT code, first, last, if(anew.code IS NULL, life.gaps, anew.gaps)::DOUBLE AS gaps,
       if(anew.code IS NULL, life.gap_sum, anew.gap_sum)::DOUBLE AS gap_sum,
       if(anew.code IS NULL, life.gap_squares, anew.gap_squares)::DOUBLE AS gap_squares,
       if(anew.code IS NULL, life.longest, anew.longest) AS longest,
       if(anew.code IS NULL, life.newest, anew.newest) AS newest
FROM life LEFT JOIN anew USING (code);

CREATE TEMP VIEW complaint AS
SELECT code, count(*) FILTER (day >= getvariable('cutoff') - 91) AS complaints_91d,
       count(*) FILTER (day >= getvariable('cutoff') - 364) AS complaints_364d, max(day) AS last_complaint
FROM complained WHERE known < getvariable('cutoff') GROUP BY code;

CREATE TEMP VIEW contact AS
SELECT code, sum((day >= getvariable('cutoff') - 28)::INT) AS contacts_28d,
       sum((day >= getvariable('cutoff') - 91)::INT) AS contacts_91d,
       sum((day >= getvariable('cutoff') - 364)::INT) AS contacts_364d,
       sum(if(day >= getvariable('cutoff') - 91, inbound, 0)) AS inbound_91d,
       sum(if(day >= getvariable('cutoff') - 91, outbound, 0)) AS outbound_91d, max(day) AS last_contact
FROM contacted WHERE known < getvariable('cutoff') GROUP BY code;

CREATE TEMP VIEW features AS
SELECT customer_id,
       coalesce(orders_28d, 0)::DOUBLE AS orders_28d, coalesce(orders_91d, 0)::DOUBLE AS orders_91d,
       coalesce(orders_182d, 0)::DOUBLE AS orders_182d, coalesce(orders_364d, 0)::DOUBLE AS orders_364d,
       coalesce(orders_728d, 0)::DOUBLE AS orders_728d,
       coalesce(turnover_cents_28d, 0)::DOUBLE AS turnover_cents_28d,
       coalesce(turnover_cents_91d, 0)::DOUBLE AS turnover_cents_91d,
       coalesce(turnover_cents_182d, 0)::DOUBLE AS turnover_cents_182d,
       coalesce(turnover_cents_364d, 0)::DOUBLE AS turnover_cents_364d,
       coalesce(turnover_cents_728d, 0)::DOUBLE AS turnover_cents_728d,
       coalesce(returns_364d, 0)::DOUBLE AS returns_364d,
       coalesce(sold_cents_364d - turnover_cents_364d, 0)::DOUBLE AS returned_cents_364d,
       coalesce(sold_cents_364d, 0)::DOUBLE AS sold_cents_364d,
       coalesce(margin_cents_364d, 0)::DOUBLE AS margin_cents_364d,
       coalesce(orders_364d, 0)::DOUBLE AS lines_364d,
       coalesce(orders_182d, 0)::DOUBLE - coalesce(orders_91d, 0) AS orders_91d_before,
       coalesce(turnover_cents_182d, 0)::DOUBLE - coalesce(turnover_cents_91d, 0) AS turnover_cents_91d_before,
       coalesce(turnover_cents_91d_year_before, 0)::DOUBLE AS turnover_cents_91d_year_before,
       (getvariable('cutoff') - last)::DOUBLE AS recency_days, (getvariable('cutoff') - first)::DOUBLE AS tenure_days,
       gaps + 1 AS purchase_days, gap_sum / nullif(gaps, 0) AS gap_mean_days,
       if(gaps >= 2, sqrt(gaps * gap_squares - gap_sum * gap_sum) / gaps, NULL) AS gap_sd_days,
       if(gaps >= 1, longest, NULL)::DOUBLE AS gap_longest_days, if(gaps >= 1, newest, NULL)::DOUBLE AS gap_last_days,
       coalesce(complaints_91d, 0)::DOUBLE AS complaints_91d, coalesce(complaints_364d, 0)::DOUBLE AS complaints_364d,
       (getvariable('cutoff') - last_complaint)::DOUBLE AS complaint_recency_days,
       coalesce(contacts_28d, 0)::DOUBLE AS contacts_28d, coalesce(contacts_91d, 0)::DOUBLE AS contacts_91d,
       coalesce(contacts_364d, 0)::DOUBLE AS contacts_364d, coalesce(inbound_91d, 0)::DOUBLE AS inbound_91d,
       coalesce(outbound_91d, 0)::DOUBLE AS outbound_91d,
       (getvariable('cutoff') - last_contact)::DOUBLE AS contact_recency_days
FROM rhythm JOIN codes USING (code) LEFT JOIN sums USING (code) LEFT JOIN complaint USING (code)
LEFT JOIN contact USING (code)
WHERE last >= getvariable('cutoff') - 728;
