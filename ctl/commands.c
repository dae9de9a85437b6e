/* Knows which commands there are: one row each. Called by main.c and arguments.c. */
#include "command.h"

#define VERB(verb, method, english, chinese)                                                                 \
    {                                                                                                        \
        "case " verb, "cases." method, "id", "note party until version", english, chinese, show_verb, NULL   \
    }

const struct command commands[] = {
    {"status", "status", "", "", "how the daemon is", "守护进程的状态", show_status, NULL},
    {"summary", "summary", "*site", "site domain", "sites at a glance: devices, values, cases",
     "各地点概况：设备、数值、案件", show_summary, NULL},
    {"sites", "sites.list", "", "site level", "the governance tree", "治理层级", show_sites, NULL},
    {"devices", "devices.list", "", "site domain device state", "devices and when they were last heard",
     "设备及最近上报时间", show_devices, NULL},
    {"latest", "readings.latest", "*device", "site domain device quantity",
     "the newest reading of every series", "每个序列的最新读数", show_latest, NULL},
    {"history", "readings.history", "device quantity", "channel site domain from to resolution limit cursor",
     "a series over time", "一个序列的历史", show_history, NULL},
    {"cases", "cases.list", "", "site domain handling condition level since limit cursor",
     "cases, newest first", "案件，新的在前", show_cases, NULL},
    {"case show", "cases.show", "id", "", "one case with its history", "一件案件及其经过", show_case, NULL},
    VERB("ack", "acknowledge", "somebody has seen it", "已知悉"),
    VERB("assign", "assign", "give it to a party: --party P", "指派给责任方：--party P"),
    VERB("start", "start", "work on the spot has begun", "开始处理"),
    VERB("fix", "fix", "the cause is said to be gone", "已整改"),
    VERB("verify", "verify", "somebody has looked: it is gone", "现场核实：已消除"),
    VERB("close", "close", "close it", "关闭"),
    VERB("reject", "reject", "it is none: --note WHY", "驳回：--note 理由"),
    VERB("reopen", "reopen", "a closed case lives again", "重开"),
    VERB("comment", "comment", "a note in its history: --note TEXT", "备注：--note 内容"),
    {"rules", "rules.list", "", "site domain quantity rule", "rules with their limits", "规则及限值",
     show_rules, NULL},
    {"quantities", "quantities.list", "*quantity", "quantity", "the dictionary of what is measured",
     "指标字典", show_quantities, NULL},
    {"drivers", "drivers.list", "", "", "payload formats that are understood", "支持的报文格式", show_drivers,
     NULL},
    {"sources", "sources.list", "", "", "topic templates and what came by them", "主题模板及统计",
     show_sources, NULL},
    {"parties", "parties.list", "", "sector", "who handles cases", "责任方", show_parties, NULL},
    {"quarantine", "quarantine.list", "*id", "id limit cursor",
     "payloads that could not be read; with a number: one of them", "无法解析的报文；加编号看其一",
     show_quarantine, run_quarantine},
    {"outbox", "outbox.list", "", "pending limit cursor", "notifications: waiting, delivered, failed",
     "通知：待发、已送达、失败", show_outbox, NULL},
    {"watch", "watch", "", "topics site domain device quantity",
     "tell of cases (or --topics readings,status) as they happen",
     "实时关注案件（或 --topics readings,status）", NULL, run_watch},
    {"export", "export", "", "from to site device quantity format",
     "all readings to stdout: --format csv or ndjson", "导出读数到标准输出：--format csv 或 ndjson", NULL,
     run_export},
    {"backup", "store.backup", "file", "", "copy the store to FILE on the gateway, checked",
     "备份数据库到网关上的文件并校验", NULL, run_backup},
    {"import", "readings.import", "file", "domain",
     "take an export's CSV back as history; - is standard input",
     "把导出的 CSV 作为历史读数导入；- 为标准输入", NULL, run_import},
};
const size_t command_count = sizeof commands / sizeof *commands;
