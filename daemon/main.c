/* ecogovd: reads the command line and the configuration, then hands over to one of its four ways to run. */
#include "house.h"
#include "record.h"
#include "replay.h"

#include <base/clock.h>
#include <base/log.h>
#include <store/salvage.h>
#include <store/store.h>

#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_CONFIG 78 /* sysexits.h EX_CONFIG */
#define FAULTS_MAX_BYTES ((size_t)1024 * 1024)

static const char usage[] =
    "ecogovd " ECOGOV_VERSION ": watches over villages\n"
    "usage: ecogovd [-c FILE] [--check | --verify | --salvage | --replay FILE | --record FILE]\n"
    "  -c, --config FILE   configuration (default /etc/ecogov/ecogov.yaml)\n"
    "      --check         read the configuration, print every fault, exit 0 or 78\n"
    "      --verify        check the store: structure, checksums, counters\n"
    "      --salvage       set a damaged store aside, make a new one of what can be read\n"
    "      --replay FILE   run a recording through pipeline and store with virtual time\n"
    "      --record FILE   write what the broker sends into a recording\n"
    "  -v, --verbose       log more\n"
    "      --version, --help\n";

enum way { RUN, CHECK, VERIFY, SALVAGE, REPLAY, RECORD };

static int verify(const struct eg_conf *conf)
{
    struct eg_buf findings;
    struct eg_err err = {EG_OK, ""};
    eg_buf_init(&findings, FAULTS_MAX_BYTES);
    int code = eg_store_verify(conf->store.path, &findings, &err);
    if (findings.length)
        fputs(findings.data, stderr);
    if (code != EG_OK)
        fprintf(stderr, "%s: %s\n", conf->store.path, err.text);
    bool clean = code == EG_OK && !findings.length;
    if (clean)
        printf("%s: nothing wrong\n", conf->store.path);
    eg_buf_finish(&findings);
    return clean ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int salvage(const struct eg_conf *conf)
{
    struct eg_buf told;
    struct eg_err err = {EG_OK, ""};
    eg_buf_init(&told, FAULTS_MAX_BYTES);
    int code = eg_salvage_run(conf->store.path, eg_clock_now_ms(), &err);
    if (code != EG_OK)
        fprintf(stderr, "%s\n", err.text);
    else if (eg_salvage_told(conf->store.path, &told))
        puts(told.data);
    eg_buf_finish(&told);
    return code == EG_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

static struct eg_conf *load(const char *path)
{
    struct eg_buf faults;
    eg_buf_init(&faults, FAULTS_MAX_BYTES);
    struct eg_conf *conf = eg_conf_load(path, &faults);
    if (!conf)
        fputs(faults.length ? faults.data : "no memory for the configuration\n", stderr);
    eg_buf_finish(&faults);
    return conf;
}

/* glibc would give every thread of libuv's pool a heap of its own, and keep what sealing takes and gives back for ever. */
static void keep_memory_small(void)
{
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 256 * 1024);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 'k'},
        {"verify", no_argument, NULL, 'y'},       {"salvage", no_argument, NULL, 's'},
        {"replay", required_argument, NULL, 'p'}, {"record", required_argument, NULL, 'r'},
        {"verbose", no_argument, NULL, 'v'},      {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0}};
    const char *path = "/etc/ecogov/ecogov.yaml", *file = NULL;
    enum way way = RUN;
    for (int option; (option = getopt_long(argc, argv, "c:vh", options, NULL)) != -1;) {
        switch (option) {
        case 'c':
            path = optarg;
            break;
        case 'k':
            way = CHECK;
            break;
        case 'y':
            way = VERIFY;
            break;
        case 's':
            way = SALVAGE;
            break;
        case 'p':
        case 'r':
            way = option == 'p' ? REPLAY : RECORD;
            file = optarg;
            break;
        case 'v':
            eg_log_init(EG_LOG_DEBUG);
            break;
        case 'V':
            puts("ecogovd " ECOGOV_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "ecogovd: '%s' is not understood\n%s", argv[optind], usage);
        return 2;
    }
    keep_memory_small();
    struct eg_conf *conf = load(path);
    if (!conf)
        return EXIT_CONFIG;
    int status = EXIT_SUCCESS;
    switch (way) {
    case RUN:
        return eg_house_run(conf);
    case REPLAY:
        return eg_replay_run(conf, file);
    case RECORD:
        return eg_record_run(conf, file);
    case VERIFY:
        status = verify(conf);
        break;
    case SALVAGE:
        status = salvage(conf);
        break;
    case CHECK:
        break;
    }
    eg_conf_destroy(conf);
    return status;
}
