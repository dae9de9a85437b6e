/* The third step of the schema: plain names for whoever reads with SQL (docs/opendata.md). Released: not changed; where a table moves,
 * a later step drops its view and makes it anew. Only schema.c includes it. */
#ifndef EG_VIEWS_H
#define EG_VIEWS_H
/* clang-format off */
#define EG_VIEWS \
    "CREATE VIEW IF NOT EXISTS v_devices AS SELECT id, site, domain, device," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', registered_at/1000.0, 'unixepoch') AS registered_at," \
    " (SELECT count(*) FROM series s WHERE s.device=device.id) AS series FROM device;" \
    "CREATE VIEW IF NOT EXISTS v_cases AS SELECT number, id, site, domain, device, quantity, channel, rule," \
    " CASE level WHEN 1 THEN 'notice' WHEN 2 THEN 'warning' WHEN 3 THEN 'critical' END AS level," \
    " CASE condition WHEN 0 THEN 'breaching' WHEN 1 THEN 'ok' WHEN 2 THEN 'unknown' END AS condition," \
    " CASE handling WHEN 0 THEN 'open' WHEN 1 THEN 'acknowledged' WHEN 2 THEN 'assigned' WHEN 3 THEN 'in_progress'" \
    " WHEN 4 THEN 'fixed' WHEN 5 THEN 'closed' WHEN 6 THEN 'rejected' END AS handling," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', opened_at/1000.0, 'unixepoch') AS opened_at," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', detected_at/1000.0, 'unixepoch') AS detected_at," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', closed_at/1000.0, 'unixepoch') AS closed_at," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', due_at/1000.0, 'unixepoch') AS due_at," \
    " last_value," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', last_at/1000.0, 'unixepoch') AS last_at," \
    " peak_value," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', peak_at/1000.0, 'unixepoch') AS peak_at," \
    " level_limit, lead, assignee, escalation, reopened, version FROM cases;" \
    "CREATE VIEW IF NOT EXISTS v_case_events AS SELECT c.id AS \"case\", e.case_number AS number, e.version," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', at/1000.0, 'unixepoch') AS at," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', known_at/1000.0, 'unixepoch') AS known_at," \
    " e.kind, e.actor, e.was, e.became, e.value, e.note FROM case_event e JOIN cases c ON c.number=e.case_number;" \
    "CREATE VIEW IF NOT EXISTS v_hours AS SELECT d.site, d.domain, d.device, s.quantity, s.channel," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', start/1000.0, 'unixepoch') AS start," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', \"end\"/1000.0, 'unixepoch') AS \"end\"," \
    " count, sum/count AS mean, sum, min, max, first, last," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', first_at/1000.0, 'unixepoch') AS first_at," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', last_at/1000.0, 'unixepoch') AS last_at" \
    " FROM rollup r JOIN series s ON s.id=r.series JOIN device d ON d.id=s.device WHERE r.period=0;" \
    "CREATE VIEW IF NOT EXISTS v_days AS SELECT d.site, d.domain, d.device, s.quantity, s.channel," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', start/1000.0, 'unixepoch') AS start," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', \"end\"/1000.0, 'unixepoch') AS \"end\"," \
    " count, sum/count AS mean, sum, min, max, first, last," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', first_at/1000.0, 'unixepoch') AS first_at," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', last_at/1000.0, 'unixepoch') AS last_at" \
    " FROM rollup r JOIN series s ON s.id=r.series JOIN device d ON d.id=s.device WHERE r.period=1;"
/* The ninth step: cases with what they are about. */
#define EG_VIEWS_OF_CASES \
    "CREATE VIEW v_cases AS SELECT number, id,"  \
    " CASE kind WHEN 0 THEN 'breach' WHEN 1 THEN 'report' WHEN 2 THEN 'maintenance'" \
    " WHEN 3 THEN 'regional' WHEN 4 THEN 'drill' WHEN 5 THEN 'device' WHEN 6 THEN 'outage' END AS kind," \
    " site, domain, device, quantity, channel, rule," \
    " CASE level WHEN 1 THEN 'notice' WHEN 2 THEN 'warning' WHEN 3 THEN 'critical' END AS level," \
    " CASE condition WHEN 0 THEN 'breaching' WHEN 1 THEN 'ok' WHEN 2 THEN 'unknown' END AS condition," \
    " CASE handling WHEN 0 THEN 'open' WHEN 1 THEN 'acknowledged' WHEN 2 THEN 'assigned' WHEN 3 THEN 'in_progress'" \
    " WHEN 4 THEN 'fixed' WHEN 5 THEN 'closed' WHEN 6 THEN 'rejected' END AS handling," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', opened_at/1000.0, 'unixepoch') AS opened_at," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', detected_at/1000.0, 'unixepoch') AS detected_at," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', closed_at/1000.0, 'unixepoch') AS closed_at," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', due_at/1000.0, 'unixepoch') AS due_at," \
    " last_value," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', last_at/1000.0, 'unixepoch') AS last_at," \
    " peak_value," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', peak_at/1000.0, 'unixepoch') AS peak_at," \
    " level_limit, lead, assignee, escalation, overdue, fixer, repairer, follows, parent, reopened, version FROM cases;" \
    "CREATE VIEW v_case_events AS SELECT c.id AS \"case\", e.case_number AS number, e.version," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', at/1000.0, 'unixepoch') AS at," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', known_at/1000.0, 'unixepoch') AS known_at," \
    " e.kind, e.actor, e.was, e.became, e.value, e.note, e.party FROM case_event e JOIN cases c ON c.number=e.case_number;"
/* The thirteenth step: what readings are multiplied by and shifted. */
#define EG_VIEW_OF_CALIBRATIONS \
    "CREATE VIEW v_calibrations AS SELECT d.site, d.domain, d.device, s.quantity, s.channel," \
    " CASE WHEN since>0 THEN strftime('%Y-%m-%dT%H:%M:%fZ', since/1000.0, 'unixepoch') END AS since, since AS since_ms, scale, offset," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', noted_at/1000.0, 'unixepoch') AS noted_at" \
    " FROM calibration c JOIN series s ON s.id=c.series JOIN device d ON d.id=s.device;"
/* The seventeenth step. */
#define EG_VIEW_OF_DEVICE_EVENTS \
    "CREATE VIEW v_device_events AS SELECT d.site, d.domain, d.device," \
    " strftime('%Y-%m-%dT%H:%M:%fZ', e.at/1000.0, 'unixepoch') AS at," \
    " CASE e.kind WHEN 0 THEN 'retired' WHEN 1 THEN 'restored' WHEN 2 THEN 'heard' END AS kind, e.actor, e.note" \
    " FROM device_event e JOIN device d ON d.id=e.device;"
/* clang-format on */
#endif
