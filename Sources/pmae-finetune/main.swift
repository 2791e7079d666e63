FinetuneTool.start()
