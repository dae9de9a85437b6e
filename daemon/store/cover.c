/* Which sealed chunks of a series cover a span of time. Knows that most chunks of a series lie one behind the other, so that one look at
 * the last that begins before the span tells that all earlier ones end before it, too. Those that lie across others (readings came
 * late, history was imported) are listed in table `overlap`, on levels within which again none lies across another. So a question takes a
 * look per level, however long the past is; only the last level, which takes what fits nowhere, is walked. The triggers of schema.c
 * keep the list. Refuses to know what the chunks hold. Called by stream.c and read.c. */
#include <store/inside.h>

#include <string.h>

/* ?1 series, ?2 from: where the last chunk begins, of those on no level, that begins before or with the span. */
static const char first_text[] =
    "SELECT c.t_first FROM chunk c WHERE c.series=?1 AND c.t_first<=?2 AND NOT EXISTS (SELECT 1 FROM overlap "
    "o WHERE o.series=?1 AND o.level IN (1,2,3,4,5,6,7,8) AND o.t_first=c.t_first AND o.chunk=c.id)"
    " ORDER BY c.t_first DESC LIMIT 1";
/* ?3 to, ?4 that beginning */
#define BEGUN                                                                                                \
    "SELECT t_first, seq, body FROM chunk WHERE series=?1 AND t_first<?3 AND t_first>=?4 AND t_last>=?2"     \
    " UNION ALL SELECT t_first, seq, body FROM young WHERE series=?1 AND t_first<?3 AND t_last>=?2"
#define ACROSS                                                                                               \
    " UNION ALL SELECT c.t_first, c.seq, c.body FROM (SELECT column1 AS level FROM (VALUES(1),(2),(3),(4),"  \
    "(5),(6),(7),(8))) l CROSS JOIN overlap o CROSS JOIN chunk c WHERE o.series=?1 AND o.level=l.level AND " \
    "o.t_first<?4 AND o.t_first>=iif(l.level=8,-9223372036854775808,(SELECT max(t_first) FROM "              \
    "overlap WHERE series=?1 AND level=l.level AND t_first<=?2)) AND o.t_last>=?2 AND c.id=o.chunk"

/* Before the seventh schema (the extension reads such) there is no list: then every earlier chunk is looked at. */
static int prepare(struct eg_cover *cover, sqlite3 *db)
{
    int code = sqlite3_prepare_v2(db, BEGUN ACROSS " ORDER BY 1, 2", -1, &cover->chunks, NULL);
    if (code == SQLITE_OK)
        return sqlite3_prepare_v2(db, first_text, -1, &cover->first, NULL);
    return sqlite3_prepare_v2(db, BEGUN " ORDER BY 1, 2", -1, &cover->chunks, NULL);
}

int eg_cover_open(struct eg_cover *cover, sqlite3 *db, uint32_t series, int64_t from_ms, int64_t to_ms)
{
    int code = cover->chunks ? SQLITE_OK : prepare(cover, db);
    int64_t first_ms = cover->first ? from_ms : INT64_MIN;
    if (code != SQLITE_OK)
        return code;
    if (cover->first) {
        sqlite3_bind_int64(cover->first, 1, series);
        sqlite3_bind_int64(cover->first, 2, from_ms);
        code = sqlite3_step(cover->first);
        if (code == SQLITE_ROW)
            first_ms = sqlite3_column_int64(cover->first, 0);
        sqlite3_reset(cover->first); /* after a failure its code and sentence stay, for who asks next */
        if (code != SQLITE_ROW && code != SQLITE_DONE)
            return code;
    }
    sqlite3_reset(cover->chunks);
    sqlite3_bind_int64(cover->chunks, 1, series);
    sqlite3_bind_int64(cover->chunks, 2, from_ms);
    sqlite3_bind_int64(cover->chunks, 3, to_ms);
    sqlite3_bind_int64(cover->chunks, 4, first_ms);
    return SQLITE_OK;
}

void eg_cover_close(struct eg_cover *cover)
{
    sqlite3_finalize(cover->first);
    sqlite3_finalize(cover->chunks);
    memset(cover, 0, sizeof *cover);
}
