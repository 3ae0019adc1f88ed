-- Statements that must not hurt, one a line. Each is refused, answered, or stopped at its limit.
-- `forbidden`: refused as such. `error`: any clear error. `any`: an answer or an error.
-- expect: forbidden
CREATE TABLE t (a INT)
CREATE TABLE t AS SELECT * FROM metrics
CREATE VIEW v AS SELECT 1
CREATE OR REPLACE VIEW metrics AS SELECT 1
CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'
CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 's3://other/'
CREATE UNBOUNDED EXTERNAL TABLE t STORED AS JSON LOCATION '/proc/self/environ'
CREATE SCHEMA s
CREATE DATABASE d
CREATE FUNCTION f(DOUBLE) RETURNS DOUBLE RETURN $1 + 1
CREATE INDEX i ON metrics (name)
CREATE ROLE admin
DROP TABLE metrics
DROP TABLE IF EXISTS samples
DROP VIEW metrics
DROP SCHEMA public CASCADE
DROP FUNCTION abs
ALTER TABLE metrics ADD COLUMN x INT
TRUNCATE TABLE samples
INSERT INTO metrics VALUES (1)
INSERT INTO samples SELECT * FROM samples
INSERT OVERWRITE samples SELECT * FROM samples
UPDATE metrics SET value = 0
DELETE FROM metrics
DELETE FROM samples WHERE name = 'up'
MERGE INTO metrics USING samples ON 1 = 1 WHEN MATCHED THEN DELETE
COPY metrics TO '/tmp/stolen.csv'
COPY (SELECT * FROM metrics) TO '/tmp/stolen.parquet' STORED AS PARQUET
COPY metrics TO 's3://other/bucket/x.parquet'
EXPLAIN COPY metrics TO '/tmp/stolen.csv'
EXPLAIN ANALYZE COPY metrics TO '/tmp/stolen.csv'
EXPLAIN CREATE TABLE t AS SELECT 1
EXPLAIN INSERT INTO metrics VALUES (1)
EXPLAIN ANALYZE DELETE FROM metrics
EXPLAIN DROP TABLE metrics
SET datafusion.execution.batch_size = 1
SET datafusion.sql_parser.enable_ident_normalization = false
SET TIME ZONE 'UTC'
SET datafusion.catalog.information_schema = true
RESET datafusion.execution.batch_size
PREPARE p AS SELECT 1
PREPARE p(INT) AS SELECT $1
EXECUTE p
EXECUTE p(1)
DEALLOCATE p
BEGIN
START TRANSACTION
COMMIT
ROLLBACK
SAVEPOINT s
GRANT ALL ON metrics TO PUBLIC
REVOKE ALL ON metrics FROM PUBLIC
LOCK TABLE metrics
VACUUM
ANALYZE TABLE metrics
CALL something()
USE other
KILL 1
DECLARE c CURSOR FOR SELECT 1
FETCH NEXT FROM c
CLOSE c
LISTEN x
NOTIFY x
DISCARD ALL
SHOW datafusion.execution.batch_size
SHOW ALL
SHOW FUNCTIONS
-- expect: error
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r
WITH RECURSIVE r(n) AS (VALUES (1) UNION ALL SELECT n * 2 FROM r) SELECT sum(n) FROM r
SELECT * FROM (WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT * FROM r) x
SELECT count(*) FROM (WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT 1 FROM r) SELECT * FROM r) x
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT max(a.n) FROM r a, r b
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n FROM r ORDER BY n DESC
WITH RECURSIVE r AS (SELECT 1 AS n UNION SELECT n + 1 FROM r) SELECT count(*) FROM r
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT r.n FROM r, generate_series(1, 10) g) SELECT count(*) FROM r
WITH RECURSIVE r AS (SELECT 'x' AS t UNION ALL SELECT t || t FROM r) SELECT length(t) FROM r
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n FROM r WHERE n > (SELECT count(*) FROM metrics) - 10000) SELECT count(*) FROM r
WITH RECURSIVE r AS (SELECT cluster FROM metrics UNION ALL SELECT m.cluster FROM metrics m JOIN r ON m.cluster = r.cluster) SELECT count(*) FROM r
WITH RECURSIVE r AS (SELECT [1] AS a UNION ALL SELECT array_concat(a, a) FROM r) SELECT max(array_length(a)) FROM r
WITH RECURSIVE r AS (SELECT 'x' AS t UNION ALL SELECT replace(t, 'x', 'xx') FROM r) SELECT max(length(t)) FROM r
WITH RECURSIVE r AS (SELECT 'x' AS t UNION ALL SELECT string_agg(r.t, ',') FROM r, generate_series(1, 100) g) SELECT max(length(t)) FROM r
WITH RECURSIVE r AS (SELECT value AS n FROM generate_series(1, 1000000) UNION ALL SELECT n FROM r) SELECT count(*) FROM r
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT a.n + b.n FROM r a, r b) SELECT count(*) FROM r
WITH RECURSIVE r AS (SELECT n FROM r) SELECT * FROM r
WITH RECURSIVE a AS (SELECT 1 AS n UNION ALL SELECT n FROM b), b AS (SELECT 1 AS n UNION ALL SELECT n FROM a) SELECT * FROM a
WITH RECURSIVE a AS (SELECT 1 AS n UNION ALL (WITH RECURSIVE b AS (SELECT 1 AS n UNION ALL SELECT n FROM b) SELECT n FROM b)) SELECT count(*) FROM a
COPY metrics FROM '/etc/passwd'
SELECT * FROM '/etc/passwd'
SELECT * FROM "/etc/passwd"
SELECT * FROM 's3://other/x.parquet'
SELECT * FROM "file:///etc/passwd"
SELECT * FROM 'http://169.254.169.254/latest/meta-data'
SELECT * FROM "../../../../etc/shadow"
SELECT * FROM public."x.csv"
SELECT * FROM fleetscope.public."/etc/hosts"
SELECT * FROM datafusion.public.metrics
SELECT * FROM other.public.metrics
SELECT * FROM read_csv('/etc/passwd')
SELECT * FROM read_parquet('/x.parquet')
SELECT * FROM parquet_metadata('/x.parquet')
SELECT * FROM glob('/etc/*')
SELECT * FROM metadata_cache()
SELECT * FROM nothing
SELECT * FROM metric.nothing
SELECT * FROM pg_catalog.pg_tables
SELECT pg_read_file('/etc/passwd')
SELECT load_extension('x')
SELECT input_file_name() FROM metrics
SELECT file_row_index() FROM metrics
SELECT getenv('HOME')
SELECT @@version
SELECT @x
SELECT md5('x')
SELECT sha256('x')
SELECT arrow_cast('x', 'FixedSizeBinary(2000000000)')
SELECT arrow_cast(1, 'FixedSizeList(1000000000, Int64)')
SELECT array_repeat(1, 2147483647)
SELECT array_repeat(array_repeat(1, 100000), 100000)
SELECT array_resize(make_array(1), 2147483647, 1)
SELECT array_transform(make_array(1), x -> x + 1)
SELECT repeat('x', 2147483647)
SELECT repeat('x', 9223372036854775807)
SELECT repeat(repeat(repeat('x', 1000), 1000), 1000)
SELECT repeat(cluster, 100000000) FROM metrics
SELECT length(repeat(name, 1000000)) FROM metrics
SELECT lpad('x', 2147483647)
SELECT lpad('x', 2147483647, 'y')
SELECT rpad('x', 2147483647, 'yz')
SELECT rpad(cluster, 100000000, 'z') FROM metrics
SELECT replace(repeat('x', 60000), 'x', repeat('y', 60000))
SELECT regexp_replace(repeat('x', 60000), 'x', repeat('y', 60000), 'g')
SELECT regexp_replace(repeat('x', 60000), '.', '$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0', 'g') || regexp_replace(repeat('x', 60000), '', repeat('ab', 20000), 'g')
SELECT concat(repeat('x', 60000), repeat('x', 60000), repeat('x', 60000))
SELECT concat_ws(repeat('x', 60000), 'a', 'b', 'c', 'd', 'e', 'f')
SELECT repeat('x', 60000) || repeat('x', 60000) || repeat('x', 60000)
SELECT array_to_string(range(0, 90000), repeat('x', 60000))
SELECT to_char(now(), repeat('%c', 30000))
SELECT range(0, 1000000000000)
SELECT generate_series(1, 1000000000000)
SELECT unnest(generate_series(1, 1000000000000))
SELECT generate_series(1, 9223372036854775807, 1)
SELECT * FROM generate_series(1, 1000000000000)
SELECT count(*) FROM generate_series(-9223372036854775807, 9223372036854775807)
SELECT count(*) FROM range(0, 100000000000)
SELECT levenshtein(repeat('a', 60000), repeat('b', 60000))
SELECT levenshtein(repeat(name, 9000), repeat(cluster, 9000)) FROM metrics
SELECT * FROM metrics WHERE name ~ '((a{1,1000}){1,1000}){1,1000}'
SELECT * FROM metrics WHERE value > 0 AND repeat(name, 2) ~ '((a{1,1000}){1,1000})'
SELECT regexp_like(name, '(((((a{50}){50}){50}){50}){50})') FROM metrics
SELECT * FROM metrics WHERE name ~ '(unclosed'
SELECT 1; SELECT 2
SELECT 1; DROP TABLE metrics
SELECT 1 /* unclosed
SELECT 'unclosed
SELECT "unclosed
SELECT
SELECT FROM
SELECT * FROM
SELECT 1 +
FROM
)(
;
SELECT $1
SELECT $name
SELECT 1/0
SELECT CAST('x' AS INT)
SELECT 9223372036854775807 * 9223372036854775807 FROM nothing
SELECT labels['a']['b'] FROM metrics
SELECT labels[1] FROM metrics WHERE label(labels, name) = 'x'
SELECT metrics.* FROM samples
SELECT * FROM metrics GROUP BY nope
SELECT * INTO stolen FROM metrics
SELECT sum(value) OVER (ORDER BY nope) FROM metrics
SELECT a.value FROM metrics a, metrics b WHERE value = 1
VALUES (1), (1, 2)
SELECT (SELECT value FROM metrics)
SELECT * FROM LATERAL metrics
SELECT value FROM metrics, generate_series(1, 1000000), generate_series(1, 1000000)
SELECT string_agg(repeat('x', 1000), '') FROM generate_series(1, 10000000)
SELECT array_agg(g.value) FROM generate_series(1, 10000000) g, generate_series(1, 100)
SELECT a.value, b.value FROM generate_series(1, 10000000) a, generate_series(1, 10000000) b ORDER BY a.value + b.value
SELECT count(*) FROM (SELECT DISTINCT a.value * 10000000 + b.value FROM generate_series(1, 10000000) a, generate_series(1, 10000) b) x
SELECT a.value FROM generate_series(1, 10000000) a JOIN generate_series(1, 10000000) b ON a.value % 2 = b.value % 2 ORDER BY 1
SELECT count(*) FROM metrics a, metrics b, metrics c, metrics d, metrics e
SELECT sum(a.value * b.value) FROM metrics a, metrics b, metrics c, metrics d
SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b WHERE a.value <> b.value
SELECT max(levenshtein(a.name || a.cluster, b.name || c.cluster)) FROM metrics a, metrics b, metrics c, metrics d
-- expect: any
SELECT NULL
SELECT -- comment
SELECT 1 -- '; DROP TABLE metrics
SELECT 1 /* ; DROP TABLE metrics */
SELECT 'x''; DROP TABLE metrics; --'
SELECT * FROM metrics WHERE name = ''' OR 1=1 --'
SELECT * FROM metrics WHERE name = E'\\x00'
SELECT * FROM metrics WHERE labels['''] = 'x'
SELECT * FROM metrics WHERE labels['a\'b'] = 'x'
SELECT * FROM metrics WHERE labels[''] = ''
SELECT * FROM metrics WHERE labels['__name__'] = 'up'
SELECT * FROM metrics WHERE labels['cluster'] = 'east'
SELECT * FROM metric."../../x"
SELECT * FROM metric."up; DROP TABLE samples"
SELECT * FROM metrics WHERE ts > '9999-12-31T23:59:59Z'
SELECT * FROM metrics WHERE ts < '0000-01-01T00:00:00Z'
SELECT * FROM metrics WHERE ts > '50000-01-01T00:00:00Z'
SELECT * FROM metrics WHERE ts > to_timestamp(9223372036854775807)
SELECT * FROM metrics WHERE ts > now() - INTERVAL '100000000 years'
SELECT * FROM metrics WHERE ts BETWEEN '2030-01-01' AND '2020-01-01'
SELECT date_bin(INTERVAL '0 seconds', ts) FROM metrics
SELECT date_bin(INTERVAL '1 nanosecond', ts) FROM metrics
SELECT count(*) FROM metrics LIMIT 9223372036854775807 OFFSET 9223372036854775807
SELECT * FROM metrics LIMIT -1
SELECT * FROM metrics ORDER BY value DESC NULLS LAST LIMIT 0
SELECT factorial(100)
SELECT power(10, 400), exp(10000), ln(-1), sqrt(-1)
SELECT -9223372036854775808 / -1
SELECT 9223372036854775807 + 1
SELECT 1e400
SELECT 0xFFFFFFFFFFFFFFFFFF
SELECT CAST(1e308 AS DECIMAL(38, 37))
SELECT chr(1114111), chr(0), chr(-1)
SELECT substr('abc', -9223372036854775807, 9223372036854775807)
SELECT left('abc', -9223372036854775808), right('abc', 9223372036854775807)
SELECT split_part('a,b', ',', 9223372036854775807)
SELECT overlay('abc' PLACING 'x' FROM 2147483647)
SELECT array_slice(make_array(1, 2, 3), -9223372036854775807, 9223372036854775807)
SELECT make_array(1, 2)[9223372036854775807]
SELECT nth_value(value, 9223372036854775807) OVER () FROM metrics
SELECT lag(value, 9223372036854775807) OVER (ORDER BY ts) FROM metrics
SELECT ntile(9223372036854775807) OVER (ORDER BY ts) FROM metrics
SELECT approx_percentile_cont(value, 2.0) FROM metrics
SELECT sum(value) OVER (ORDER BY ts ROWS BETWEEN 9223372036854775807 PRECEDING AND CURRENT ROW) FROM metrics
SELECT count(*) FROM metrics a JOIN metrics b ON a.value = b.value JOIN metrics c ON b.value = c.value
SELECT * FROM information_schema.tables
SELECT * FROM information_schema.columns
SELECT * FROM information_schema.df_settings
SELECT * FROM information_schema.routines
SELECT * FROM information_schema.metrics
EXPLAIN SELECT * FROM metrics
EXPLAIN VERBOSE SELECT * FROM metrics
EXPLAIN ANALYZE SELECT count(*) FROM metrics
EXPLAIN FORMAT TREE SELECT 1
SHOW TABLES
SHOW COLUMNS FROM metrics
DESCRIBE metrics
SELECT * FROM metrics TABLESAMPLE BERNOULLI (10)
SELECT * FROM metrics FOR UPDATE
SELECT DISTINCT ON (cluster) * FROM metrics
SELECT * FROM metrics PIVOT (sum(value) FOR name IN ('up'))
SELECT uuid(), random(), now(), version()
SELECT regexp_like('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!', '^(a+)+$')
SELECT regexp_count(repeat('a', 60000), '(a*)*b')
SELECT name FROM metrics WHERE name LIKE '%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%a%%%%%%%%%%%%%'
SELECT name FROM metrics WHERE name SIMILAR TO '(a|b)*'
SELECT string_to_array(repeat('a,', 30000), ',')
SELECT upper(repeat('ß', 30000))
SELECT translate(repeat('a', 60000), 'a', '𝕏')
SELECT string_agg(name, ',') FROM metrics
SELECT array_agg(labels) FROM metrics
SELECT unnest(make_array(make_array(1), make_array(2)))
SELECT * FROM (VALUES (1), (2), (3)) AS t(a), (VALUES (4)) AS u(b)
SELECT CASE WHEN random() > 2 THEN repeat('x', 60000) ELSE repeat('y', 60000) END FROM metrics
SELECT coalesce(labels['nope'], repeat('y', 60000)) FROM metrics
SELECT concat(name, repeat('y', 60000)) FROM metrics
SELECT repeat('y', 60000), repeat('z', 60000) FROM metrics
SELECT * FROM promql('sum_over_time({__name__=~".+"}[1y])')
SELECT * FROM promql('avg_over_time({__name__=~".+"}[10d:1s])', 1767225600)
SELECT count(*) FROM promql('time()', 0, 11000, 1) a, promql('time()', 0, 11000, 1) b, promql('time()', 0, 11000, 1) c
SELECT * FROM promql('label_replace({__name__=~".+"}, "x", "$1", "__name__", "(.*)*(.*)*(.*)*")', 0, 11000, 1)
SELECT * FROM promql('up', 9223372036854775807)
SELECT * FROM promql('up offset -1y', -9223372036854775)
SELECT * FROM promql('up[1y:1ms]', 9223372036854775)
SELECT * FROM promql('up', -9223372036854775, 9223372036854775, 1677000000000)
SELECT * FROM promql(repeat('-', 60000), now())
SELECT * FROM promql('up' || repeat(' + up', 12000))
EXPLAIN VERBOSE SELECT * FROM promql('sum by (cluster) (rate({__name__=~".+"}[1y]))')
