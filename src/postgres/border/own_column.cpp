#include "postgres/border/own_column.h"

namespace reverse_etl {

int own_column(Relation table, const char *name) {
    TupleDesc descriptor = RelationGetDescr(table);
    for (int i = 0; i < descriptor->natts; i++)
        if (const FormData_pg_attribute *attribute = TupleDescAttr(descriptor, i);
            !attribute->attisdropped && namestrcmp(const_cast<NameData *>(&attribute->attname), name) == 0)
            return i;
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
                    errmsg("table \"%s\" of reverse_etl has no column \"%s\"", ServerText(table->rd_rel->relname),
                           ServerText(name)),
                    errhint("The extension and its library are not of one version.")));
}

} // namespace reverse_etl
