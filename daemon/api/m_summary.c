int eg_summary_nothing;
