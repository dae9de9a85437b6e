"""Writes the configuration that the demonstration and its tests run ecogovd with.

Knows the keys of ecogovd's YAML; does not know what is measured or when.
"""
import os

MAIN = """\
mqtt:
  host: 127.0.0.1
  port: {port}
  client_id: ecogov-demo
store:
  path: {folder}/ecogov.db
  commit_interval: {commit_interval}
socket:
  path: {folder}/ecogov.sock
board:
  dir: {folder}/board
time_zone: {zone}
late_limit: {late_limit}      # what is shown lies up to that far back, and rules are to judge it
include: [sites.yaml, sources.yaml, rules.yaml]
"""

VILLAGE_SITES = """\
sites:
  - {id: linan, name: 临安区, level: county, latitude: 30.234, longitude: 119.725, parties: [ecology-bureau]}
  - {id: qianchuan, name: 潜川镇, level: township, parent: linan, parties: [township-office, clean-co]}
  - {id: station, name: 潜川转运站, level: spot, parent: qianchuan, parties: [clean-co]}
  - id: shangtian
    name: 上田村
    level: village
    parent: qianchuan
    latitude: 30.0412
    longitude: 119.4271
    mode: collaborative
    parties: [shangtian-committee, green-volunteers, clean-co]
  - id: kuotan
    name: 阔滩村
    level: village
    parent: qianchuan
    latitude: 30.0527
    longitude: 119.4043
    mode: gap_filling
    parties: [kuotan-committee, tea-coop, green-volunteers]
  - id: tashan
    name: 塔山村
    level: village
    parent: qianchuan
    latitude: 30.0658
    longitude: 119.4402
    mode: alternative
    parties: [tashan-committee, elders]

parties:
  - {id: ecology-bureau, name: 临安区生态环境分局, sector: government}
  - {id: township-office, name: 潜川镇综合办, sector: government}
  - {id: shangtian-committee, name: 上田村村委会, sector: government}
  - {id: kuotan-committee, name: 阔滩村村委会, sector: government}
  - {id: tashan-committee, name: 塔山村村委会, sector: government}
  - {id: clean-co, name: 洁净环卫公司, sector: market}
  - {id: tea-coop, name: 阔滩茶叶合作社, sector: market}
  - {id: green-volunteers, name: 绿色志愿队, sector: society}
  - {id: elders, name: 塔山老年协会, sector: society}

devices:
  - {id: a2, site: qianchuan, domain: air, name: 潜川小学空气站}
  - {id: a1, site: shangtian, domain: air, name: 上田村口空气站}
  - {id: a2, site: shangtian, domain: air, name: 上田小学空气站}
  - {id: s1, site: shangtian, domain: soil, name: 上田稻田墒情站, land_use: paddy}
  - {id: s1, site: kuotan, domain: soil, name: 阔滩茶园墒情站, land_use: garden}
  - {id: s2, site: kuotan, domain: soil, name: 阔滩菜地墒情站, land_use: dryland}
  - {id: b2, site: kuotan, domain: waste, name: 阔滩码头垃圾桶}
  - {id: scale, site: station, domain: waste, name: 转运站地磅, silent_after: 24h}
"""

# The flat source stands last: its subscription is the last one, so whoever sees its retained message sees all.
VILLAGE_SOURCES = """\
sources:
  - id: dusty                     # objects in objects, other units
    topic: dusty/{site}/{device}/state
    domain: air
    driver: json
    time: /when
    fields:
      - {path: /pm/fine, quantity: pm25}
      - {path: /pm/coarse, quantity: pm10}
      - {path: /gas/no2, quantity: no2}
      - {path: /gas/o3, quantity: o3}
      - {path: /gas/co, quantity: co, unit: ug/m3}
      - {path: /temp_f, quantity: temperature, unit: degF}
      - {path: /rh, quantity: humidity}
      - {path: /db, quantity: noise}
  - id: soil-rows                 # a row is a depth
    topic: soil/{site}/{device}/up
    domain: soil
    driver: json
    time: /at
    readings: /rows
    channel: /d
    fields:
      - {path: /vwc, quantity: soil_moisture, unit: m3/m3}
      - {path: /ec, quantity: soil_ec, unit: uS/cm}
      - {path: /st, quantity: soil_temp}
      - {path: /ph, quantity: soil_ph}
  - id: village-json              # flat objects and arrays of them, by quantity names
    topic: ecogov/{site}/{domain}/{device}
    driver: json
"""

RULES = """\
quality:
  limits:       # sensors of fine resolution: the same value for three hours is none
    - {quantity: pm25, stuck: 3h, stuck_bad: 10h}
    - {quantity: pm10, stuck: 3h, stuck_bad: 10h}

device_rules:
  - id: sensor-doubt
    when: suspect
    level: notice
    title: A sensor is in doubt
    title_zh: 传感器存疑
    action: "Look at the device: dust, insects, its fan, its power. Until then its readings open no case about the village."
    deadline: {fix: 72h}

rules:
  - id: open-burning
    title: Smoke of open burning
    title_zh: 露天焚烧烟尘
    domain: air
    quantity: pm25
    statistic: mean
    window: 10m
    levels:
      warning:  {open: 75, clear: 60}
      critical: {open: 150, clear: 115}
    hold: 5m
    clear_hold: 15m
    basis: "GB 3095-2012 class 2: 75 ug/m3 as a 24 h mean, here as an early sign"
    action: "Look upwind for open burning; call the village grid worker; keep school children indoors."
    deadline: {acknowledge: 1h, fix: 24h}
  - id: pm25-day
    title: Fine dust over a day
    title_zh: 细颗粒物日均
    domain: air
    quantity: pm25
    statistic: mean
    window: 24h
    levels:
      notice:  {open: 75, clear: 70}
      warning: {open: 115, clear: 105}
    hold: 1h
    clear_hold: 1h
    basis: "GB 3095-2012 class 2: 75 ug/m3 (24 h); 115 begins moderate pollution in HJ 633"
    action: "Tell the township; advise the old and the sick to stay in."
  - id: co-hour
    title: Carbon monoxide over an hour
    title_zh: 一氧化碳小时均值
    domain: air
    quantity: co
    statistic: mean
    window: 1h
    levels:
      notice:  {open: 4, clear: 3}
      warning: {open: 10, clear: 8}
    hold: 10m
    clear_hold: 15m
    basis: "GB 3095-2012: 10 mg/m3 (1 h), 4 mg/m3 (24 h)"
    action: "A fire is near: find it. Air the houses once it is out."
    deadline: {acknowledge: 2h, fix: 24h}
  - id: ozone-hour
    title: Ozone over an hour
    title_zh: 臭氧小时均值
    domain: air
    quantity: o3
    statistic: mean
    window: 1h
    levels:
      notice:  {open: 160, clear: 150}
      warning: {open: 200, clear: 180}
    hold: 10m
    clear_hold: 30m
    basis: "GB 3095-2012: 160 (class 1) and 200 ug/m3 (class 2), 1 h mean"
    action: "No spraying of paint and solvents in the afternoon."
  - id: soil-dry
    title: Dry topsoil
    title_zh: 表层土壤偏干
    domain: soil
    quantity: soil_moisture
    direction: below
    levels:
      notice:  {open: 15, clear: 17}
      warning: {open: 10, clear: 12}
    hold: 30m
    clear_hold: 30m
    basis: "Farming practice for young tea: water below 15 %"
    action: "Water in the evening unless rain is forecast."
    deadline: {acknowledge: 12h, fix: 48h}
  - id: soil-sour
    title: Soil turning sour
    title_zh: 土壤酸化
    domain: soil
    quantity: soil_ph
    direction: below
    levels:
      warning: {open: 4.0, clear: 4.2}
    hold: 6h
    clear_hold: 6h
    basis: "Tea grows at pH 4.0 to 5.5; NY/T 1121.2 is how to check it"
    action: "Take a sample to the laboratory before liming."
  - id: bin-full
    title: Bin overflowing
    title_zh: 垃圾桶满溢
    domain: waste
    quantity: fill_level
    levels:
      warning:  {open: 80, clear: 60}
      critical: {open: 95, clear: 60}
    hold: 10m
    basis: "Township contract for collection: emptied before it is full"
    action: "Send the lorry; until then put up a second bin."
    deadline: {acknowledge: 2h, fix: 12h}
  - id: bin-heating
    title: Bin warming quickly
    title_zh: 垃圾桶升温过快
    domain: waste
    quantity: bin_temp
    statistic: rate
    window: 20m
    levels:
      notice: {open: 25, clear: 5}
    hold: 10m
    clear_hold: 10m
    basis: "Practice: the sun warms a bin by less than 10 Cel an hour"
    action: "Look for hot ashes in it."
    deadline: {acknowledge: 30m, fix: 4h}
  - id: bin-smouldering
    title: Bin smouldering
    title_zh: 垃圾桶阴燃
    domain: waste
    quantity: bin_temp
    levels:
      warning:  {open: 55, clear: 45}
      critical: {open: 80, clear: 60}
    hold: 2m
    clear_hold: 10m
    basis: "Practice: compost stays below 70 Cel; what is hotter burns"
    action: "Keep away, water it from upwind, call 119 if there are flames."
    deadline: {acknowledge: 15m, fix: 2h}
"""


def write(folder, port=1883, zone="Asia/Shanghai", late_limit="48h", commit_interval="1s",
          sites=VILLAGE_SITES, sources=VILLAGE_SOURCES):
    """Gives the path of the main file."""
    folder = os.path.abspath(folder)
    texts = {
        "ecogov.yaml": MAIN.format(port=port, folder=folder, zone=zone, late_limit=late_limit, commit_interval=commit_interval),
        "sites.yaml": sites, "sources.yaml": sources, "rules.yaml": RULES,
    }
    for name, text in texts.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    return os.path.join(folder, "ecogov.yaml")
