export interface ExhibitTables {}
