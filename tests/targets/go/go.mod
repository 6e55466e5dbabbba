module rules

go 1.19
