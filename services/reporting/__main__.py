from shared.cli import main

main("services.reporting")
