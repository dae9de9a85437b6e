/* sources[].ambient: which gases a source's devices tell in cubic metres of the air as it is. Knows what can be told so: mass by volume of
 * a gas. Refuses to know how it is converted (pipeline/ambient.c). Called by sources.c, after the preset's keys were taken. */
#include <conf/resolve.h>

#include <math.h>
#include <string.h>

/* What a field's unit says against it, or NULL. */
static const char *unit_against(const char *unit)
{
    if (unit && unit[0] == '/' && unit[1]) /* the driver json looks for it in the payload */
        return "the payload says its unit, which may be any: say 'unit' here";
    return eg_unit_in_air(unit) ? NULL : "its unit is the same at any temperature and pressure: leave it out";
}

static void check_fields(struct eg_resolve *resolve, const struct eg_raw_mapping *raw,
                         const yaml_node_t *node, int quantity)
{
    for (unsigned i = 0; i < raw->fields_count; i++) {
        const struct eg_raw_field *field = &raw->fields[i];
        const char *unit = field->unit && field->unit[0] ? field->unit : raw->unit;
        const char *against = unit_against(unit);
        if (!against || eg_quantity_find(field->quantity, strlen(field->quantity)) != quantity)
            continue;
        eg_resolve_fault(resolve, node, "ambient: %s comes in \"%.40s\"; %s",
                         eg_quantity_info(quantity)->name, unit, against);
        return;
    }
}

static bool named_before(const struct eg_conf_source *source, int quantity)
{
    for (size_t i = 0; i < source->ambient_count; i++)
        if (source->ambient[i] == quantity)
            return true;
    return false;
}

static void take_gas(struct eg_resolve *resolve, const struct eg_raw_mapping *raw, const yaml_node_t *node,
                     const char *name, uint16_t *gases, struct eg_conf_source *ret)
{
    int quantity = eg_quantity_find(name, strlen(name));
    if (quantity == EG_QUANTITY_NONE) {
        (void)eg_resolve_quantity(resolve, node, name); /* says what was probably meant */
    } else if (!eg_unit_gas(quantity)) {
        eg_resolve_fault(resolve, node,
                         "ambient: %s is no gas that is told as mass by volume; particles and shares of "
                         "volume are not converted",
                         eg_quantity_info(quantity)->name);
    } else if (!named_before(ret, quantity)) {
        gases[ret->ambient_count++] = (uint16_t)quantity;
        check_fields(resolve, raw, node, quantity);
    }
}

void eg_resolve_ambient(struct eg_resolve *resolve, const struct eg_raw_mapping *raw, const yaml_node_t *node,
                        struct eg_conf_source *ret)
{
    const yaml_node_t *list = eg_resolve_node(resolve, node, "ambient"),
                      *given = eg_resolve_node(resolve, node, "ambient_pressure");
    if (raw->ambient_pressure) {
        ret->ambient_hpa = *raw->ambient_pressure;
        if (!(ret->ambient_hpa >= EG_AMBIENT_HPA_MIN && ret->ambient_hpa <= EG_AMBIENT_HPA_MAX))
            eg_resolve_fault(resolve, given ? given : node, "ambient_pressure is %d to %d hPa",
                             EG_AMBIENT_HPA_MIN, EG_AMBIENT_HPA_MAX);
        else if (!raw->ambient_count)
            eg_resolve_fault(resolve, given ? given : node,
                             "ambient_pressure does nothing without 'ambient', the gases it is for");
    }
    uint16_t *gases = raw->ambient_count ? eg_resolve_keep(resolve, raw->ambient_count, sizeof *gases) : NULL;
    ret->ambient = gases;
    for (unsigned i = 0; gases && i < raw->ambient_count; i++) {
        const yaml_node_t *item = list ? eg_files_item(resolve->file, list, i) : NULL;
        take_gas(resolve, raw, item ? item : node, raw->ambient[i], gases, ret);
    }
}
